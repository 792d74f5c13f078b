import { Drawer } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { AlertDetail } from "./AlertDetail";

/** The alert named in the URL, beside the page one is on. */
export function AlertDrawer() {
  const { alert } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const close = (): void => void navigate({ to: ".", search: (old) => ({ ...old, alert: undefined }) });
  return (
    <Drawer opened={alert !== undefined} onClose={close} position="right" size={620} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}
      title={alert ? <Link to="/alerts/$id" params={{ id: alert }} search={{}} className="link">Open as a page</Link> : "Alert"}>
      {alert && <AlertDetail id={alert} />}
    </Drawer>
  );
}
