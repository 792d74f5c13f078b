import { Button, Checkbox, Group, Modal, MultiSelect, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sayProblem } from "../api/client";
import type { Me } from "../api/session";
import { Copy } from "../kit/Copy";
import { Paste } from "../kit/Paste";
import { Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { failToast, sayToast } from "../kit/toast";
import classes from "./account.module.css";
import { createToken, revokeToken, tokenKey, tokensQuery, type NewToken, type Token, type TokenMade } from "./query";

const lifetimes = [{ value: "24h", label: "1 day" }, { value: "720h", label: "30 days" }, { value: "2160h", label: "90 days" }, { value: "8760h", label: "1 year" }];
const scope = (of: Token): string => [of.roles.length > 0 ? of.roles.join(", ") : "all your roles", of.teams.length > 0 ? `in ${of.teams.join(", ")}` : "", of.readOnly ? "reading only" : ""].filter(Boolean).join(", ");

/** With which one's programs come in. */
export function Tokens({ me }: { me: Me }) {
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(tokensQuery);
  const [making, setMaking] = useState(false);
  const revoke = (of: Token): void => {
    revokeToken(of.id).then(() => {
      sayToast(`${of.name} is revoked: programs that show it are refused from now on.`);
      void queries.invalidateQueries({ queryKey: tokenKey });
    }, (failure: unknown) => failToast(`Could not revoke ${of.name}`, failure));
  };
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">API tokens</h2>
      {isPending && <Loading rows={3} label="Loading tokens" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && <p className="dim">None. A token lets a program act in your name, and never more than you may.</p>}
      {data && data.items.length > 0 && (
        <div className={classes.wide}>
          <table className={classes.table}>
            <thead><tr><th scope="col">For</th><th scope="col">May</th><th scope="col">Ends in</th><th scope="col">Last used</th><th scope="col">Good until</th><th scope="col"><span className="hidden-text">Action</span></th></tr></thead>
            <tbody>
              {data.items.map((t) => (
                <tr key={t.id}>
                  <th scope="row">{t.name}</th><td>{scope(t)}</td><td className="mono">…{t.hint}</td><td>{t.usedAt ? <Time at={t.usedAt} /> : <span className="dim">never</span>}</td><td><Time at={t.expiresAt} /></td>
                  <td><Button variant="default" size="compact-xs" aria-label={`Revoke ${t.name}`} onClick={() => revoke(t)}>Revoke</Button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Button variant="default" mt="sm" onClick={() => setMaking(true)}>Make a token…</Button>
      {making && <Make me={me} onClose={() => setMaking(false)} />}
    </section>
  );
}

function Make({ me, onClose }: { me: Me; onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [teams, setTeams] = useState<string[]>([]);
  const [readOnly, setReadOnly] = useState(false);
  const [lifetime, setLifetime] = useState("2160h");
  const mine = [...new Set(me.grants.flatMap((g) => g.teams ?? []))];
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: () => createToken({ name: name.trim(), lifetime, readOnly, ...(chosen.length > 0 ? { roles: chosen as NonNullable<NewToken["roles"]> } : {}), ...(teams.length > 0 ? { teams } : {}) }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: tokenKey }),
  });
  return (
    <Modal opened onClose={onClose} title="Make a token" closeButtonProps={{ "aria-label": "Close" }} closeOnClickOutside={!data}>
      {data ? <Shown made={data} onClose={onClose} /> : (
        <form className={classes.form} onSubmit={(event) => { event.preventDefault(); mutate(); }}>
          <TextInput data-autofocus label="What it is for" required maxLength={64} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <MultiSelect label="Roles" description="What it may at most." placeholder={chosen.length > 0 ? "" : "all of yours"} data={me.roles} value={chosen} onChange={setChosen} />
          {mine.length > 0 && <MultiSelect label="Teams" placeholder={teams.length > 0 ? "" : "all of yours"} data={mine} value={teams} onChange={setTeams} />}
          <Checkbox label="Reading only" checked={readOnly} onChange={(event) => setReadOnly(event.currentTarget.checked)} />
          <Select label="Good for" data={lifetimes} value={lifetime} allowDeselect={false} onChange={(value) => setLifetime(value ?? "2160h")} />
          {error && <p role="alert">{sayProblem(error)}</p>}
          <Group justify="flex-end" gap={8}><Button variant="default" onClick={onClose}>Cancel</Button><Button type="submit" loading={isPending} disabled={!name.trim()}>Make token</Button></Group>
        </form>
      )}
    </Modal>
  );
}

function Shown({ made, onClose }: { made: TokenMade; onClose: () => void }) {
  return (
    <>
      <div className={classes.secret}><code className="mono" data-testid="token">{made.secret}</code><Copy value={made.secret} what="the token" /></div>
      <p className="dim">Copy it now: it is kept only as a hash and never shown again.</p>
      <Paste caption="Try it:" lines={`curl -sS -H 'Authorization: Bearer ${made.secret}' '${window.location.origin}/api/fairlead/v1/me'`} />
      <Group justify="flex-end" mt="md"><Button onClick={onClose}>Done</Button></Group>
    </>
  );
}
