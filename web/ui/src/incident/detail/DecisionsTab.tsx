import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { pickColumns } from "../../alert/columns";
import { DecisionRecord } from "../../alert/DecisionRecord";
import { alertKeys, alertMatches, sentenceOf } from "../../alert/filter";
import { dispositions, type Alert } from "../../api/types";
import { DataTable } from "../../kit/DataTable";
import { parseFilter, formatFilter, toggleTerm, type Filter } from "../../kit/filter";
import { DispositionMark } from "../../kit/Marks";
import { formatCount } from "../../kit/numbers";
import { Empty } from "../../kit/States";
import classes from "./detail.module.css";

/** Per alert: why was I, or was I not, told. */
export function DecisionsTab({ alerts, more }: { alerts: readonly Alert[]; more: () => void }) {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const filter = useMemo(() => parseFilter(search.q ?? "", alertKeys), [search.q]);
  const wanted = useMemo((): Filter => ({ text: "", terms: filter.terms.disposition ? { disposition: filter.terms.disposition } : {} }), [filter]);
  const rows = useMemo(() => alerts.filter((a) => alertMatches(a, wanted, false)), [alerts, wanted]);
  const picked = rows.find((a) => a.id === search.pick) ?? rows[0];
  return (
    <div className={classes.tab}>
      <div className={classes.tabBar} role="group" aria-label="Show alerts that were">
        {dispositions.map((d) => {
          const n = alerts.filter((a) => a.disposition === d).length;
          if (n === 0) return null;
          const on = wanted.terms.disposition?.includes(d) ?? false;
          return (
            <button key={d} type="button" className={classes.toggle} aria-pressed={on} onClick={() => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, q: formatFilter(toggleTerm(wanted, "disposition", d)) || undefined }) })}>
              <DispositionMark disposition={d} /> {formatCount(n)}
            </button>
          );
        })}
      </div>
      {rows.length === 0 ? <Empty title="No alert">No alert of this incident was decided that way.</Empty> : (
        <div className={classes.panes}>
          <DataTable label="Alerts and whether you were told" rows={rows} columns={pickColumns} rowId={(a) => a.id} rowName={(a) => a.name} active={picked?.id} onEnd={more} maxHeight="max(360px, calc(100dvh - 220px))" />
          {picked && (
            <section className={classes.record} aria-label="Decision record">
              <h3>{picked.name}: {sentenceOf(picked)}</h3>
              <DecisionRecord alert={picked.id} />
            </section>
          )}
        </div>
      )}
    </div>
  );
}
