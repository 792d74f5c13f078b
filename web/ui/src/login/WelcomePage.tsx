import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { client, take } from "../api/client";
import { Failure, Loading } from "../kit/States";
import { LoginBox } from "./LoginBox";
import classes from "./login.module.css";

const least = 12;

/** Takes the link out of the address, so that it is neither kept in the history nor sent anywhere. */
function linkOfAddress(): string {
  const link = new URLSearchParams(window.location.hash.slice(1)).get("link") ?? "";
  if (link) window.history.replaceState(null, "", window.location.pathname);
  return link;
}

/** What a one-time link opens: somebody chooses a password, and the first admin a name. */
export function WelcomePage() {
  const [link] = useState(linkOfAddress);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const view = useQuery({ queryKey: ["link", link], queryFn: () => take(client.POST("/api/fairlead/v1/links/check", { body: { link } })), retry: false, staleTime: Infinity });
  if (view.isPending) return <LoginBox title="Welcome to Fairlead"><Loading rows={4} /></LoginBox>;
  if (view.isError) return <LoginBox title="This link cannot be used"><Failure error={view.error} /><p><a href="/">To the login</a></p></LoginBox>;
  const user = view.data.user;
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    take(client.POST("/api/fairlead/v1/links/open", { body: { link, password, ...(user ? {} : { name }) } }))
      .then(() => window.location.replace("/"))
      .catch((error: unknown) => {
        const remedies = error !== null && typeof error === "object" && "remedies" in error ? (error.remedies as string[]) : [];
        setProblem(remedies.length > 0 ? remedies.join(". ") : error instanceof Error ? error.message : String(error));
        setBusy(false);
      });
  };
  return (
    <LoginBox title={user ? `Welcome, ${user}` : "Welcome to Fairlead"}>
      <p className="dim">{user ? "Choose your password." : "You are the first: you become its admin and let others in."} The link works once.</p>
      <form className={classes.form} onSubmit={submit}>
        {problem && <p role="alert">{problem}</p>}
        {!user && <TextInput label="Name" description="Lower-case letters, digits, dots and dashes; for good" name="username" autoComplete="username" value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} />}
        <PasswordInput label="Password" description={`At least ${least} characters; four unrelated words are good`} name="password" autoComplete="new-password" minLength={least} value={password} onChange={(e) => setPassword(e.currentTarget.value)} required withAsterisk={false} />
        <Button type="submit" loading={busy}>{user ? "Set the password" : "Become admin"}</Button>
      </form>
    </LoginBox>
  );
}
