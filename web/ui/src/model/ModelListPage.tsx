import { TextInput } from "@mantine/core";
import { useDebouncedCallback, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useCallback, useMemo, useState } from "react";
import classes from "../experiment/experiment.module.css";
import { DataTable, type Column } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import { modelsQuery, type Model } from "./query";

const column = createColumnHelper<Model>();
const Name = ({ of }: { of: Model }) => <Link to="/models/$name" params={{ name: of.name }} search={{}} className={classes.name} title={of.name}>{of.name}</Link>;
const sayAliases = (of: Model): string => Object.entries(of.aliases).map(([alias, version]) => `${alias} → ${version}`).join(", ");

const columns: Column<Model>[] = [
  column.accessor("name", { header: "Name", meta: { width: 280 }, cell: (c) => <Name of={c.row.original} /> }),
  column.accessor("latest", { header: "Latest version", meta: { width: 120, right: true }, cell: (c) => c.row.original.latest || <span className="dim">none</span> }),
  column.accessor("aliases", { header: "Aliases", meta: { width: 280 }, cell: (c) => <span title={sayAliases(c.row.original)}>{sayAliases(c.row.original)}</span> }),
  column.accessor("description", { header: "Description", cell: (c) => <span className="dim" title={c.row.original.description}>{c.row.original.description.split("\n")[0]}</span> }),
  column.accessor("updatedAt", { header: "Changed", meta: { width: 130, right: true }, cell: (c) => <Time at={c.row.original.updatedAt} /> }),
];

const narrowColumns: Column<Model>[] = [
  column.accessor("name", { header: "Model", cell: (c) => <div className={classes.stacked}><Name of={c.row.original} /><span className="dim">version {c.row.original.latest}{sayAliases(c.row.original) && `, ${sayAliases(c.row.original)}`}</span></div> }),
];

/** The models that somebody has given a name. */
export function ModelListPage() {
  const { q = "" } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...modelsQuery(q), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.name), (name) => void navigate({ to: "/models/$name", params: { name }, search: {} }));
  const [text, setText] = useState(q);
  const ask = useDebouncedCallback((next: string) => void navigate({ to: "/models", replace: true, search: (old) => ({ ...old, q: next || undefined }) }), 200);
  return (
    <>
      <PageHead title="Models">Registered models with their versions. An alias such as champion says which version is used.</PageHead>
      <div className={classes.bar}><TextInput size="xs" className={classes.search} aria-label="Name contains" placeholder="Name contains" value={text} onChange={(event) => { setText(event.currentTarget.value); ask(event.currentTarget.value.trim()); }} /></div>
      {isPending && <Loading label="Loading models" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && (q ? <Empty title="No model has such a name">Change the text above.</Empty>
        : <Empty title="No model is registered yet" paste={{ caption: "A client of MLflow registers what a run has logged:", lines: "mlflow.register_model(f\"runs:/{run_id}/model\", \"fraud\")" }}>Each registration makes a version, with the run that made it.</Empty>)}
      {rows.length > 0 && <DataTable label="Models" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.name} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
    </>
  );
}
