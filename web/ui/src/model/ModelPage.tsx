import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { mayLearn, meQuery } from "../api/session";
import classes from "../experiment/experiment.module.css";
import { DataTable, type Column } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { AliasDialog } from "./AliasDialog";
import { modelQuery, versionsQuery, type Model, type Version } from "./query";

const Markdown = lazy(() => import("react-markdown"));
const column = createColumnHelper<Version>();
const dim = (text: string) => <span className="dim">{text}</span>;

function From({ of }: { of: Version }) {
  if (of.run) return <Link to="/runs/$id" params={{ id: of.run }} search={{}} className="link" title={`Run ${of.run}, ${of.source}`}>run {of.run.slice(0, 12)}</Link>;
  return <span className="dim" title={of.source}>{of.source}</span>;
}

const makeColumns = (onAsk: ((version: Version) => void) | undefined): Column<Version>[] => [
  column.accessor("version", { header: "Version", meta: { width: 90 }, cell: (c) => <span className={classes.name}>{c.row.original.version}</span> }),
  column.accessor("aliases", { header: "Aliases", meta: { width: 220 }, cell: (c) => c.row.original.aliases.join(", ") || dim("–") }),
  column.accessor("stage", { header: "Stage", meta: { width: 110 }, cell: (c) => (c.row.original.stage === "None" ? dim("–") : c.row.original.stage) }),
  column.accessor("run", { header: "Made by", meta: { width: 190 }, cell: (c) => <From of={c.row.original} /> }),
  column.accessor("description", { header: "Description", cell: (c) => <span className="dim" title={c.row.original.description}>{c.row.original.description.split("\n")[0]}</span> }),
  column.accessor("createdAt", { header: "Registered", meta: { width: 130, right: true }, cell: (c) => <Time at={c.row.original.createdAt} /> }),
  ...(onAsk ? [column.display({ id: "act", header: "Action", meta: { width: 140, right: true }, cell: (c) => <span data-above><Button variant="default" size="compact-xs" aria-label={`Ask for alias… of version ${c.row.original.version}`} onClick={() => onAsk(c.row.original)}>Ask for alias…</Button></span> })] : []),
];

const narrowColumns: Column<Version>[] = [
  column.accessor("version", { header: "Version", cell: (c) => <div className={classes.stacked}><span className={classes.name}>{c.row.original.version} {c.row.original.aliases.join(", ")}</span><span className={classes.under}><From of={c.row.original} /><span className="dim"><Time at={c.row.original.createdAt} /></span></span></div> }),
];

export function ModelPage() {
  const { name } = useParams({ from: "/models/$name" });
  const { data, error, isPending, refetch } = useQuery(modelQuery(name));
  if (isPending) return <Loading label="Loading the model" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={name} of={data} />;
}

function Loaded({ of }: { of: Model }) {
  const narrow = useMediaQuery("(max-width: 760px)");
  const { data: me } = useQuery(meQuery);
  const may = mayLearn(me);
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(versionsQuery(of.name));
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const [asking, setAsking] = useState<Version>();
  const columns = useMemo(() => (narrow ? narrowColumns : makeColumns(may ? setAsking : undefined)), [narrow, may]);
  const tags = Object.entries(of.tags);
  return (
    <>
      <PageHead title={of.name}><Link to="/models" search={{}} className={`link ${classes.crumb}`}>Models</Link> · changed <Time at={of.updatedAt} />{tags.length > 0 && ` · ${tags.map(([k, v]) => `${k}=${v}`).join(", ")}`}</PageHead>
      <div className={classes.bar} style={{ gap: 24 }}>
        {Object.keys(of.aliases).length === 0 && <span className="dim">No alias points to a version yet.</span>}
        {Object.entries(of.aliases).map(([alias, version]) => <span key={alias}><strong>{alias}</strong> <span className="dim">is version</span> {version}</span>)}
      </div>
      {of.description && <div className={classes.prose} style={{ padding: "0 24px" }}><Suspense fallback={<p>{of.description}</p>}><Markdown>{of.description}</Markdown></Suspense></div>}
      {isPending && <Loading label="Loading versions" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && <Empty title="No version yet">A registration makes one.</Empty>}
      {rows.length > 0 && <DataTable label="Versions" rows={rows} columns={columns} rowId={(row) => String(row.version)} rowName={(row) => `version ${row.version}`} rowHeight={narrow ? 58 : 36} onEnd={more} />}
      {asking && <AliasDialog of={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}
