import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useCallback, useMemo } from "react";
import { deadLettersQuery } from "../api/queries";
import type { DeadLetter } from "../api/types";
import { DataTable, type Column } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import { LetterDrawer, Origin } from "./LetterDrawer";
import { Csv } from "../kit/Csv";
import { allRows } from "../kit/pages";
import { RowReplay } from "./replay";

const column = createColumnHelper<DeadLetter>();
const columns: Column<DeadLetter>[] = [
  column.accessor("at", { header: "Arrived", meta: { width: 130 }, cell: (c) => <Time at={c.row.original.at} /> }),
  column.accessor("reason", { header: "Why it was refused", cell: (c) => <Link to="." search={(old) => ({ ...old, pick: c.row.original.id })} title={c.row.original.reason}>{c.row.original.reason}</Link> }),
  column.accessor("receiver", { header: "Came through", meta: { width: 180 }, cell: (c) => <Origin letter={c.row.original} /> }),
  column.accessor("replayedAt", { header: "Replayed", meta: { width: 130 }, cell: (c) => (c.row.original.replayedAt ? <Time at={c.row.original.replayedAt} /> : <span className="dim">not yet</span>) }),
  column.display({ id: "replay", header: "Action", meta: { width: 110, right: true }, cell: (c) => <RowReplay letter={c.row.original} /> }),
];

const narrow = new Set(["reason", "replay"]);
const narrowColumns = columns.filter((c) => narrow.has(c.id ?? ("accessorKey" in c ? String(c.accessorKey) : "")));

/** What arrived and could not be taken: why, what it was, and another try. */
export function DeadLetterPage() {
  const { pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const isNarrow = useMediaQuery("(max-width: 760px)");
  const query = useInfiniteQuery(deadLettersQuery);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const show = (id: string | undefined): void => void navigate({ to: ".", search: (old) => ({ ...old, pick: id }) });
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), show);
  const letter = rows.find((row) => row.id === pick);
  return (
    <>
      <PageHead title="Dead letters" actions={rows.length > 0 ? <Csv name="fairlead-dead-letters" rows={() => allRows(query)} what="the dead letters" /> : undefined}>What a sender sent and Fairlead could not take. Nothing here became an alert; after the cause is mended, replay it.</PageHead>
      {query.isPending && <Loading label="Loading dead letters" />}
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && <Empty title="Nothing was refused">An alert that cannot be read is kept here with the reason and its payload, so that you can mend the sender or write a mapper, and replay it.</Empty>}
      {rows.length > 0 && <DataTable label="Dead letters" rows={rows} columns={isNarrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.id} active={active} onActive={setActive} onEnd={more} />}
      <LetterDrawer letter={letter} onClose={() => show(undefined)} />
    </>
  );
}
