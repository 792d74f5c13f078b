import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { maintenanceQuery } from "../api/queries";
import { useResponder } from "../api/session";
import { useCommands } from "../kit/commands";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Calendar } from "./Calendar";
import { ForgottenList } from "./ForgottenList";
import { Csv } from "../kit/Csv";
import classes from "./maintenance.module.css";
import { WindowDrawer } from "./WindowDrawer";

/** Planned work, during which nobody is told of what it covers. */
export function MaintenancePage() {
  const { pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const may = useResponder();
  const { data, error, isPending, refetch } = useQuery(maintenanceQuery);
  const show = (id: string | undefined): void => void navigate({ to: ".", search: (old) => ({ ...old, pick: id }) });
  useCommands(useMemo(() => [{ id: "plan", label: "Plan maintenance…", run: () => void navigate({ to: "/maintenance", search: { pick: "new" } }) }], [navigate]));
  const picked = data?.items.find((window) => window.id === pick);
  const add = <Button leftSection={<IconPlus size={14} />} onClick={() => show("new")}>Plan maintenance</Button>;
  return (
    <>
      <PageHead title="Maintenance" actions={data && data.items.length > 0 ? <><Csv name="fairlead-maintenance" rows={data.items} what="the calendar" />{may && add}</> : undefined}>While a window is open, nobody is told of the alerts that it covers. They are kept, grouped and counted all the same.</PageHead>
      <div className={classes.page}>
        {isPending && <Loading label="Loading the calendar" rows={6} />}
        {error && !data && <Failure error={error} retry={() => void refetch()} />}
        {data?.items.length === 0 && <Empty title="No maintenance is planned" actions={may ? add : undefined}>Plan the work that makes alerts expected, once or each week: patch days, backups, load tests. Each window names what is worked on, and ends by itself.</Empty>}
        {data && data.items.length > 0 && <Calendar windows={data.items} onEdit={(window) => show(window.id)} />}
        {data && <ForgottenList />}
      </div>
      {may && (pick === "new" || picked) && <WindowDrawer key={pick} window={picked} onClose={() => show(undefined)} />}
    </>
  );
}
