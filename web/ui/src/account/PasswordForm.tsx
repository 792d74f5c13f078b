import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { sayToast } from "../kit/toast";
import classes from "./account.module.css";
import { changePassword, sessionKey } from "./query";

/** Changes one's password; all other sessions end. */
export function PasswordForm() {
  const queries = useQueryClient();
  const [present, setPresent] = useState("");
  const [next, setNext] = useState("");
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: () => changePassword(present, next),
    onSuccess: () => {
      sayToast("Your password is changed. All other sessions have ended.");
      setPresent("");
      setNext("");
      void queries.invalidateQueries({ queryKey: ["me"] });
      void queries.invalidateQueries({ queryKey: sessionKey });
    },
  });
  return (
    <section aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form className={classes.form} onSubmit={(event) => { event.preventDefault(); mutate(); }}>
        <PasswordInput label="Present password" autoComplete="current-password" value={present} onChange={(event) => { reset(); setPresent(event.currentTarget.value); }} />
        <PasswordInput label="New password" description="At least 12 characters; four unrelated words are good" autoComplete="new-password" value={next} onChange={(event) => { reset(); setNext(event.currentTarget.value); }} />
        {error && <p role="alert">{sayProblem(error)}</p>}
        <div><Button type="submit" variant="default" loading={isPending} disabled={!present || next.length < 12}>Change the password</Button></div>
      </form>
    </section>
  );
}
