import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { incidentColumns, middleColumns, narrowColumns } from "../../alert/columns";
import { alertChoices, alertKeys, alertMatches } from "../../alert/filter";
import { useSorted } from "../../alert/useSorted";
import type { Alert } from "../../api/types";
import { DataTable } from "../../kit/DataTable";
import { FilterBar } from "../../kit/FilterBar";
import { parseFilter } from "../../kit/filter";
import { formatCount, plural } from "../../kit/numbers";
import { Empty } from "../../kit/States";
import type { Range } from "./axis";
import { Csv } from "../../kit/Csv";
import classes from "./detail.module.css";

interface Props {
  alerts: readonly Alert[];
  complete: boolean;
  more: () => void;
  range: Range | undefined;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onSplit: () => void;
  onMove: () => void;
  /** Whether one may move alerts. */
  may: boolean;
}

/** Whether the alert fired at some moment of the range. */
const within = (alert: Alert, range: Range): boolean => Date.parse(alert.startsAt) <= range.to && (!alert.endsAt || Date.parse(alert.endsAt) >= range.from);

export function AlertsTab({ alerts, complete, more, range, selected, onSelect, onSplit, onMove, may }: Props) {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1340px)");
  const q = search.q ?? "";
  const filter = useMemo(() => parseFilter(q, alertKeys), [q]);
  const found = useMemo(() => alerts.filter((a) => alertMatches(a, filter, true) && (!range || within(a, range))), [alerts, filter, range]);
  const rows = useSorted(found, search.sort);
  const set = (change: { q?: string | undefined; sort?: string | undefined }): void => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, ...change }) });
  return (
    <div className={classes.tab}>
      <div className={classes.tabBar}>
        <FilterBar value={q} onChange={(value) => set({ q: value || undefined })} choices={alertChoices} placeholder="Filter: state:firing service:payment text" label="Filter the alerts of this incident" />
        <span className="dim" aria-live="polite">{formatCount(rows.length)}{complete ? "" : "+"}</span>
        <Csv name="fairlead-incident-alerts" rows={rows} what="the alerts of this incident" />
      </div>
      {may && selected.size > 0 && (
        <div className={classes.tabBar} role="toolbar" aria-label="Actions on the selection">
          <span>{plural(selected.size, "alert")} selected</span>
          <Button variant="default" onClick={onSplit}>Split {formatCount(selected.size)} off</Button>
          <Button variant="default" onClick={onMove}>Move {formatCount(selected.size)} to…</Button>
          <Button variant="subtle" color="gray" onClick={() => onSelect(new Set())}>Clear</Button>
        </div>
      )}
      {rows.length === 0
        ? <Empty title="No alert matches">{range ? "The filter or the range on the time axis leaves nothing." : "Take away a filter to see more."} <Button variant="default" size="compact-xs" onClick={() => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, q: undefined, from: undefined, to: undefined }) })}>Show all</Button></Empty>
        : <DataTable label="Alerts of this incident" rows={rows} columns={narrow ? narrowColumns : middle ? middleColumns : incidentColumns} rowId={(a) => a.id} rowName={(a) => a.name} rowHeight={narrow ? 58 : 36}
            sort={search.sort} onSort={(sort) => set({ sort: sort || undefined })} {...(may ? { selected, onSelect } : {})} onEnd={more} maxHeight="max(360px, calc(100dvh - 260px))" />}
    </div>
  );
}
