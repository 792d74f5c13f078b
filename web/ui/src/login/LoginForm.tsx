import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, take } from "../api/client";
import { meQuery, session, waysQuery } from "../api/session";
import classes from "./login.module.css";

/** Where to log in through the provider, and come back from to the page that was asked for. */
function providerPath(): string {
  const { pathname, search } = window.location;
  return `/api/fairlead/v1/login/oidc${pathname === "/login" ? "" : `?return=${encodeURIComponent(pathname + search)}`}`;
}

/** Asks for name and password, or sends to the provider. user fixes the name: of whoever was logged in before. */
export function LoginForm({ user, onDone }: { user?: string | undefined; onDone: () => void }) {
  const queries = useQueryClient();
  const { data: ways } = useQuery(waysQuery);
  const [name, setName] = useState(user ?? "");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    take(client.POST("/api/fairlead/v1/login", { body: { name, password } }))
      .then((me) => {
        session.begin(me);
        queries.setQueryData(meQuery.queryKey, me);
        onDone();
      })
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  if (ways?.first) {
    return (
      <p>
        Nobody can log in yet. Open the link that the server printed when it started, or make a new one on its machine
        with <code className="mono">fairlead access link</code>.
      </p>
    );
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      {problem && <p role="alert">{problem}</p>}
      <TextInput label="Name" name="username" autoComplete="username" value={name} onChange={(e) => setName(e.currentTarget.value)} readOnly={user !== undefined} required withAsterisk={false} />
      <PasswordInput label="Password" name="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} required data-autofocus withAsterisk={false} />
      <Button type="submit" loading={busy}>Log in</Button>
      {ways?.oidc && <Button component="a" href={providerPath()} variant="default">Log in with {ways.oidcName || "single sign-on"}</Button>}
    </form>
  );
}
