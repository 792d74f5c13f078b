import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/session";
import { PageHead } from "../kit/PageHead";
import { Empty, Loading } from "../kit/States";
import { roles, sayGrant } from "../people/query";
import classes from "./account.module.css";
import { PasswordForm } from "./PasswordForm";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";

/** Who one is and what one may; one's password, sessions and tokens. */
export function AccountPage() {
  const { data: me } = useQuery(meQuery);
  if (!me) return <Loading label="Loading your account" />;
  if (me.via === "dev") return <><PageHead title="Account" /><Empty title="Nobody logs in here">The server runs with --dev, or as a demo: whoever is on its machine is admin. Start it without, and each person has an account with a password or single sign-on, sessions and tokens.</Empty></>;
  return (
    <>
      <PageHead title={me.display || me.user}>You log in as {me.user}.</PageHead>
      <div className={classes.page}>
        <section aria-labelledby="may">
          <h2 id="may">What you may</h2>
          <ul className={classes.grants}>
            {(me.grants.length > 0 ? me.grants : []).map((grant) => <li key={grant.role}><b>{sayGrant(grant)}</b> <span className="dim">{roles.find(({ role }) => role === grant.role)?.may}.</span></li>)}
          </ul>
          {me.grants.length === 0 && <p className="dim">Nothing: ask an admin for a role.</p>}
        </section>
        <PasswordForm />
        <Sessions present={me.session} />
        <Tokens me={me} />
      </div>
    </>
  );
}
