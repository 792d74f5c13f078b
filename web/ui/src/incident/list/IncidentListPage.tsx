import { Button } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useRef, useState } from "react";
import { statsQuery } from "../../api/queries";
import { meQuery } from "../../api/session";
import { useConnection } from "../../app/Connection";
import { useCommands } from "../../kit/commands";
import { DataTable } from "../../kit/DataTable";
import { FilterBar } from "../../kit/FilterBar";
import { useKeys } from "../../kit/keys";
import { formatCount, plural } from "../../kit/numbers";
import { Empty, Failure, Loading } from "../../kit/States";
import { hostAndPort, prometheusLines } from "../../kit/useAddress";
import { allows, useActions } from "../actions";
import { MergeSelection } from "../MergeDialog";
import { OwnDialog } from "../OwnDialog";
import { BulkBar } from "./BulkBar";
import { useColumns } from "./useColumns";
import { choices, defaultFilter, matches } from "./match";
import { Overview } from "./Overview";
import { useIncidentRows } from "./useIncidentRows";
import { Views } from "./Views";
import { Csv } from "../../kit/Csv";
import { allRows } from "../../kit/pages";
import classes from "./list.module.css";

export function IncidentListPage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const q = search.q ?? defaultFilter;
  const [text] = useDebouncedValue(q, 120);
  const narrow = useMediaQuery("(max-width: 760px)");
  const columns = useColumns();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string>();
  const [dialog, setDialog] = useState<"merge" | "own">();
  const self = useQuery(meQuery).data?.user ?? "";
  const scroll = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const calm = useCallback(() => selected.size === 0 && !dialog && (scroll.current?.scrollTop ?? 0) < 8 && !body.current?.matches(":hover, :focus-within"), [selected, dialog]);
  const { rows, filter, fresh, refresh, more, query, complete } = useIncidentRows(text, search.sort, self, calm);
  const { data: stats } = useQuery(statsQuery);
  const actions = useActions();
  const stale = useConnection() === "lost";

  const chosen = useMemo(() => rows.filter((row) => selected.has(row.id)), [rows, selected]);
  const targets = chosen.length > 0 ? chosen : rows.filter((row) => row.id === active);
  const clear = useCallback(() => setSelected(new Set()), []);
  const move = (by: number): void => {
    const at = rows.findIndex((row) => row.id === active);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) setActive(next.id);
  };
  const acknowledge = (): void => void actions.acknowledge(targets.filter((t) => allows.acknowledge(t.state)).map((t) => t.id)).then(clear);
  const resolve = (): void => void actions.resolve(targets.filter((t) => allows.resolve(t.state)).map((t) => t.id)).then(clear);
  const set = (change: { q?: string; sort?: string }): void => void navigate({ to: "/", search: { ...search, ...change }, replace: true });
  useKeys({
    j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), e: acknowledge, r: resolve, Escape: clear,
    m: () => { if (actions.may && chosen.length > 1) setDialog("merge"); },
    a: () => { if (actions.may && targets.length > 0) setDialog("own"); },
    x: () => { if (active) setSelected((old) => { const next = new Set(old); if (!next.delete(active)) next.add(active); return next; }); },
    Enter: () => { if (active) void navigate({ to: "/incidents/$id", params: { id: active }, search: {} }); },
  });
  useCommands(useMemo(() => [{ id: "refresh", label: "Ask for the list again", run: refresh }, { id: "all", label: "Select all rows loaded", run: () => setSelected(new Set(rows.map((r) => r.id))) }], [refresh, rows]));

  return (
    <>
      <header className={classes.head}>
        <h1 className="hidden-text">Incidents</h1>
        {rows.length > 0 && !narrow && <Overview rows={rows} stats={stats} complete={complete} />}
        <Views q={q} stats={stats} />
        <div className={classes.filters}>
          <FilterBar value={q} onChange={(value) => set({ q: value })} choices={choices} placeholder="Filter: state:open severity:critical payment" label="Filter incidents" />
          <span className={classes.total} aria-live="polite">{query.isSuccess ? `${formatCount(rows.length)}${complete ? "" : search.sort ? "+, loading all to sort" : "+"}` : ""}</span>
          {rows.length > 0 && <span className="wide-only"><Csv name="fairlead-incidents" rows={() => allRows(query)} what="the incidents" /></span>}
        </div>
        {actions.may && selected.size > 0 && <BulkBar chosen={chosen} actions={actions} onMerge={() => setDialog("merge")} onOwn={() => setDialog("own")} onClear={clear} />}
      </header>
      <div ref={body} className={classes.body} data-stale={stale || undefined}>
        {fresh > 0 && rows.length > 0 && <Button className={classes.pill} radius="xl" size="compact-sm" onClick={() => { scroll.current?.scrollTo({ top: 0 }); refresh(); }}>{formatCount(fresh)} new</Button>}
        {query.isPending && <Loading label="Loading incidents" />}
        {query.isError && rows.length === 0 && <Failure error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && rows.length === 0 && <NoRows q={q} any={(stats?.alerts.received ?? 0) > 0} onAll={() => set({ q: "" })} />}
        {rows.length > 0 && (
          <DataTable label="Incidents" rows={rows} columns={columns} rowId={(row) => row.id} rowName={(row) => row.id} rowHeight={narrow ? 58 : 36}
            sort={search.sort} onSort={(sort) => set({ sort: sort || undefined })} {...(actions.may ? { selected, onSelect: setSelected } : {})} active={active} onActive={setActive}
            dimmed={(row) => !matches(row, filter, 0, self)} onEnd={more} scrollRef={scroll} />
        )}
      </div>
      {dialog === "own" && <OwnDialog what={targets.length === 1 ? (targets[0]?.id ?? "") : plural(targets.length, "incident")} onClose={() => setDialog(undefined)} onPick={(owner) => { setDialog(undefined); void actions.own(targets.filter((t) => (t.owner ?? "") !== owner).map((t) => t.id), owner, self).then(clear); }} />}
      {dialog === "merge" && <MergeSelection chosen={chosen.filter((c) => allows.merge(c.state))} onClose={() => setDialog(undefined)} onMerge={(into, from) => { setDialog(undefined); clear(); void actions.merge(into, from); }} />}
    </>
  );
}

function NoRows({ q, any, onAll }: { q: string; any: boolean; onAll: () => void }) {
  if (any) return <Empty title={q === defaultFilter ? "Nothing to handle" : "No incident matches"}>{q === defaultFilter ? "Alerts arrive, and no incident is open. New ones appear here by themselves. " : `The filter is “${q}”. `}<Button variant="default" size="compact-xs" onClick={onAll}>Show all incidents</Button></Empty>;
  return (
    <Empty title="No alert has arrived yet" paste={{ caption: "Put this into prometheus.yml and reload Prometheus:", lines: prometheusLines(hostAndPort()) }}>
      Incidents appear here by themselves once a sender reaches this address. Anything that speaks to an Alertmanager can send, amtool too.
    </Empty>
  );
}
