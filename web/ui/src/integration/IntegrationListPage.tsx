import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { integrationsQuery } from "../api/queries";
import { useCommands } from "../kit/commands";
import { DataTable } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import { Csv } from "../kit/Csv";
import { columns, middleColumns, narrowColumns } from "./columns";

/** Who sends, through which door, and how it goes. */
export function IntegrationListPage() {
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1340px)");
  const { data, error, isPending, refetch } = useQuery(integrationsQuery);
  const rows = useMemo(() => [...(data?.items ?? [])].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })), [data]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.name), (name) => void navigate({ to: "/integrations/$name", params: { name }, search: {} }));
  useCommands(useMemo(() => [{ id: "add-integration", label: "Add an integration…", run: () => void navigate({ to: "/integrations/new", search: {} }) }], [navigate]));
  const add = <Button renderRoot={(props) => <Link to="/integrations/new" search={{}} {...props} />} leftSection={<IconPlus size={14} />}>Add integration</Button>;
  return (
    <>
      <PageHead title="Integrations" actions={rows.length > 0 ? <><Csv name="fairlead-integrations" rows={rows} what="the integrations" />{add}</> : undefined}>Each is one sender’s door: an address, a key, and what came through since the server started.</PageHead>
      {isPending && <Loading label="Loading integrations" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && (
        <Empty title="No sender has a door of its own yet" actions={add}>
          Add one for each tool that should send here: you get a key and the lines to paste into the tool, and see its first payload as it arrives. A sender on this machine needs no set-up: its first request makes its integration.
        </Empty>
      )}
      {rows.length > 0 && <DataTable label="Integrations" rows={rows} columns={narrow ? narrowColumns : middle ? middleColumns : columns} rowId={(row) => row.name} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} />}
    </>
  );
}
