import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { Copy } from "../kit/Copy";
import { Csv } from "../kit/Csv";
import { DataTable } from "../kit/DataTable";
import { FilterBar } from "../kit/FilterBar";
import { formatCount, plural } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time, useNow } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import classes from "./audit.module.css";
import { columns, narrowColumns } from "./columns";
import { EntryDrawer } from "./EntryDrawer";
import { ProofBox } from "./ProofBox";
import { auditQuery, stateQuery, toParameters, type AuditState } from "./query";

const actions = ["incident.", "silence.", "maintenance.", "integration.", "user.", "team.", "session.", "token.", "approval.", "heartbeat.", "deadletter.", "map.", "alert.purge", "person.erase"];
const choices = { who: [], action: actions, object: [], since: ["1h", "24h", "7d", "30d"], decisions: ["yes"] };

function State({ of }: { of: AuditState }) {
  const e = of.exported;
  return (
    <div className={classes.state}>
      <p className="facts">
        <span>{plural(of.size, "entry", "entries")}</span>
        <span className="mono" title={of.root}>root {of.root.slice(0, 12)}…</span>
        <span title={of.key}>key {of.key.split("+")[0]} <Copy value={of.key} what="the public key" /></span>
        {!e && <span className="dim" title="Set audit.export.to to a place that whoever administers this machine cannot rewrite.">checkpoints are exported nowhere</span>}
        {e && !e.problem && <span>{e.size < 0 ? "no checkpoint exported yet" : <>exported up to {formatCount(e.size)}{e.at && <> <Time at={e.at} /></>}</>}</span>}
        {e?.problem && <span className={classes.bad} role="alert">export fails: {e.problem}</span>}
      </p>
      <ProofBox state={of} />
    </div>
  );
}

/** Who did what, to what and why, in a log that proves itself. */
export function AuditPage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const q = search.q ?? "";
  const [text] = useDebouncedValue(q, 200);
  const now = Math.floor(useNow() / 60_000) * 60_000;
  const parameters = useMemo(() => toParameters(text, now), [text, now]);
  const query = useInfiniteQuery({ ...auditQuery(parameters), placeholderData: (old) => old });
  const { data: state } = useQuery(stateQuery);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const show = useCallback((n: string | undefined): void => void navigate({ to: "/audit", search: (old) => ({ ...old, pick: n }) }), [navigate]);
  const [active, setActive] = useRowKeys(rows.map((row) => String(row.n)), show);
  const pick = search.pick !== undefined && /^\d+$/.test(search.pick) ? Number(search.pick) : undefined;
  return (
    <>
      <PageHead title="Audit" actions={rows.length > 0 ? <Csv name="fairlead-audit" rows={rows} what={`the ${plural(rows.length, "entry", "entries")} loaded`} /> : undefined}>Who did what, to what and why. Each entry is a leaf of a Merkle log, so that whatever is changed later is found, also by this page.</PageHead>
      {state && <State of={state} />}
      <div className={classes.filters}>
        <FilterBar value={q} onChange={(value) => void navigate({ to: ".", search: { ...search, q: value || undefined }, replace: true })} choices={choices} placeholder="Filter: who:ann action:silence. since:7d payments" label="Filter the audit log" />
        <span className="dim" aria-live="polite">{query.isPending ? "" : `${formatCount(rows.length)}${hasNextPage ? "+" : ""}`}</span>
      </div>
      {query.isPending && <Loading label="Loading the audit log" />}
      {query.isError && rows.length === 0 && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && !hasNextPage && (q === ""
        ? <Empty title="Nobody has done anything yet">What people do, and each change of configuration, access or policy, is listed here with its reason. Automatic decisions are in the log too: filter by decisions:yes.</Empty>
        : <Empty title="No entry matches">{`The filter is “${q}”.`}</Empty>)}
      {(rows.length > 0 || hasNextPage) && <DataTable label="Audit log" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => String(row.n)} rowName={(row) => `entry ${row.n}`} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
      {pick !== undefined && <EntryDrawer key={pick} n={pick} onClose={() => show(undefined)} />}
    </>
  );
}
