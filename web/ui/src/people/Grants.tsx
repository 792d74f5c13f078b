import { ActionIcon, Button, MultiSelect, Select } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import classes from "./people.module.css";
import { roles, type Grant, type Team } from "./query";

interface Props {
  grants: readonly Grant[];
  teams: readonly Team[];
  disabled: boolean;
  onChange: (grants: Grant[]) => void;
}

/** The roles of somebody, each everywhere or in some teams. */
export function Grants({ grants, teams, disabled, onChange }: Props) {
  const put = (i: number, part: Partial<Grant>): void => onChange(grants.map((g, n) => (n === i ? { ...g, ...part } : g)));
  const free = roles.find(({ role }) => !grants.some((g) => g.role === role))?.role ?? "viewer";
  return (
    <fieldset className={classes.grants} disabled={disabled}>
      <legend>May</legend>
      {grants.map((grant, i) => (
        <div key={i} className={classes.grant}>
          <Select size="xs" aria-label={`Role ${i + 1}`} data={roles.map(({ role }) => role)} value={grant.role} allowDeselect={false} comboboxProps={{ withinPortal: true }} onChange={(role) => put(i, role === "admin" ? { role: "admin", teams: [] } : { role: (role ?? "viewer") })} />
          <MultiSelect size="xs" aria-label={`Teams of role ${i + 1}`} placeholder={grant.teams?.length ? "" : "everywhere"} data={[...new Set([...teams.map((t) => t.name), ...(grant.teams ?? [])])]} value={grant.teams ?? []} disabled={grant.role === "admin"} comboboxProps={{ withinPortal: true }} onChange={(chosen) => put(i, { teams: chosen })} />
          <ActionIcon variant="subtle" color="gray" aria-label={`Take away the role ${grant.role}`} onClick={() => onChange(grants.filter((_, n) => n !== i))}><IconX size={15} /></ActionIcon>
          <span className={`dim ${classes.may}`}>{roles.find(({ role }) => role === grant.role)?.may}{grant.teams?.length ? ", in these teams" : ""}.</span>
        </div>
      ))}
      {grants.length === 0 && <p className="dim">Nothing: whoever has no role cannot see anything.</p>}
      <Button variant="default" size="compact-xs" onClick={() => onChange([...grants, { role: free }])}>Add a role</Button>
    </fieldset>
  );
}
