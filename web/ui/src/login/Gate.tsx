import { Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore, type ReactNode } from "react";
import { live } from "../api/live";
import { meQuery, session } from "../api/session";
import { Failure } from "../kit/States";
import { LoginBox } from "./LoginBox";
import { LoginForm } from "./LoginForm";
import { WelcomePage } from "./WelcomePage";

/** What to say of a login through a provider that did not work, by the server's word for it. */
const reasons: Record<string, string> = {
  norole: "The provider knows you, but none of your groups has a role here. Ask an admin.",
  domain: "Your e-mail address at the provider is not verified, or its domain may not log in here. Ask an admin.",
  provider: "The provider cannot be reached at the moment. Try again in a minute.",
  refused: "The provider did not let you in.",
  state: "That took too long, or was begun elsewhere. Try again.",
  disabled: "You may not log in here any more. Ask an admin.",
};

/** What the server says at /login?error= of a login through a provider. */
function providerProblem(): string {
  const code = new URLSearchParams(window.location.search).get("error");
  return code && window.location.pathname === "/login" ? (reasons[code] ?? "The login through the provider did not work. Try again, or ask an admin: the server's log says why.") : "";
}

/** Shows the pages to those who are logged in, and the login to others. A session that ends meanwhile is begun anew above the
 * page, which keeps what was typed. */
export function Gate({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const welcome = window.location.pathname === "/welcome";
  const me = useQuery({ ...meQuery, enabled: !welcome });
  const lost = useSyncExternalStore(session.subscribe, () => session.lost);
  const inside = Boolean(me.data);
  useEffect(() => (inside ? live.start() : undefined), [inside]);
  useEffect(() => {
    if (inside && window.location.pathname === "/login") window.location.replace("/");
  }, [inside]);
  if (welcome) return <WelcomePage />;
  if (me.isPending) return null;
  if (me.isError) return <LoginBox title="Fairlead cannot be reached"><Failure error={me.error} retry={() => void me.refetch()} /></LoginBox>;
  if (!me.data) {
    const problem = providerProblem();
    return <LoginBox title="Log in">{problem && <p role="alert">{problem}</p>}<LoginForm onDone={() => undefined} /></LoginBox>;
  }
  return (
    <>
      {children}
      <Modal opened={lost} onClose={() => undefined} withCloseButton={false} title="Your session has ended" centered>
        <p className="dim">Log in again to go on; what you typed is still there.</p>
        <LoginForm user={me.data.user} onDone={() => void queries.invalidateQueries()} />
      </Modal>
    </>
  );
}
