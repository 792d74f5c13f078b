import { Button } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useResponder } from "../api/session";
import { useCommands } from "../kit/commands";
import { Csv } from "../kit/Csv";
import { DataTable } from "../kit/DataTable";
import { FilterBar } from "../kit/FilterBar";
import { parseFilter } from "../kit/filter";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import { columns, narrowColumns } from "./columns";
import { unpackMatchers } from "./draft";
import { silenceQuery, silencesQuery, type Silence } from "./query";
import { SilenceDrawer } from "./SilenceDrawer";
import classes from "./silence.module.css";

const states = ["active", "pending", "expired"] as const;
const usual = "state:active,pending";

/** What is muted for a time, by whom and why. */
export function SilencePage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const may = useResponder();
  const narrow = useMediaQuery("(max-width: 760px)");
  const q = search.q ?? usual;
  const [text] = useDebouncedValue(q, 150);
  const filter = useMemo(() => {
    const { terms, text: words } = parseFilter(text, ["state"]);
    const state = states.filter((s) => terms.state?.includes(s));
    return { ...(state.length > 0 ? { state } : {}), ...(words ? { q: words } : {}) };
  }, [text]);
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...silencesQuery(filter), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const show = useCallback((id: string | undefined): void => void navigate({ to: "/silences", search: (old) => ({ ...old, pick: id, match: undefined }) }), [navigate]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), show);
  useCommands(useMemo(() => (may ? [{ id: "silence", label: "Silence alerts…", run: () => show("new") }] : []), [may, show]));
  const add = <Button leftSection={<IconPlus size={14} />} onClick={() => show("new")}>Silence alerts</Button>;
  return (
    <>
      <PageHead title="Silences" actions={<>{rows.length > 0 && <Csv name="fairlead-silences" rows={rows} what="the silences" />}{may && add}</>}>While a silence lasts, nobody is told of the alerts that it matches. They are kept and counted all the same. amtool and Grafana see the same silences.</PageHead>
      <div className={classes.filters}>
        <FilterBar value={q} onChange={(value) => void navigate({ to: ".", search: { ...search, q: value }, replace: true })} choices={{ state: states }} placeholder="Filter: state:active cart" label="Filter silences" />
        <span className="dim" aria-live="polite">{isPending ? "" : `${formatCount(rows.length)}${hasNextPage ? "+" : ""}`}</span>
      </div>
      {isPending && <Loading label="Loading silences" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && <Empty title={q === usual ? "Nothing is silenced" : "No silence matches"}>{q === usual ? "Silence what is known and being worked on, for as long as that takes: from an alert, from an incident’s menu, here, or by amtool. Silences that ended are kept for five days: state:expired." : `The filter is “${q}”.`}</Empty>}
      {rows.length > 0 && <DataTable label="Silences" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.matchers.join(", ")} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} dimmed={(row) => row.state === "expired"} />}
      {may && search.pick === "new" && <SilenceDrawer silence={undefined} matchers={unpackMatchers(search.match)} onClose={() => show(undefined)} />}
      {search.pick !== undefined && search.pick !== "new" && <Picked key={search.pick} id={search.pick} known={rows.find((row) => row.id === search.pick)} onClose={() => show(undefined)} />}
    </>
  );
}

/** The silence that the address names, also when the list does not hold it; one that has ended is made anew. */
function Picked({ id, known, onClose }: { id: string; known: Silence | undefined; onClose: () => void }) {
  const may = useResponder();
  const { data } = useQuery({ ...silenceQuery(id), ...(known ? { initialData: known } : {}) });
  if (!data || !may) return null;
  return data.state === "expired" ? <SilenceDrawer silence={undefined} matchers={data.matchers} onClose={onClose} /> : <SilenceDrawer silence={data} matchers={[]} onClose={onClose} />;
}
