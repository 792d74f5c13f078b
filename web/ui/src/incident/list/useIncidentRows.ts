import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { live } from "../../api/live";
import { incidentsQuery, keys } from "../../api/queries";
import type { Incident } from "../../api/types";
import { mostRows } from "../../kit/pages";
import { comparer, matches, readFilter, toParameters } from "./match";

/**
 * The rows of the list. Known rows change in place and keep their place; new ones are only counted until refresh is
 * called, or come in by themselves while calm says that nobody is pointing at a row.
 */
export function useIncidentRows(text: string, sort: string | undefined, self: string, calm: () => boolean) {
  const queries = useQueryClient();
  const filter = useMemo(() => readFilter(text), [text]);
  const [asked] = useState(() => Date.now());
  const query = useInfiniteQuery({ ...incidentsQuery(toParameters(filter, asked, self)), placeholderData: (old) => old });
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const known = useRef(new Set<string>());
  useEffect(() => { known.current = new Set(items.map((item) => item.id)); }, [items]);

  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [lastText, setLastText] = useState(text);
  if (lastText !== text) {
    setLastText(text);
    setFresh(new Set());
  }
  const refresh = useCallback(() => {
    setFresh(new Set());
    void queries.invalidateQueries({ queryKey: keys.incidents });
  }, [queries]);

  useEffect(() => live.on("incident", (incident: Incident) => {
    if (known.current.has(incident.id)) return;
    setFresh((old) => {
      const belongs = matches(incident, filter, Date.now(), self);
      if (belongs === old.has(incident.id)) return old;
      const next = new Set(old);
      if (belongs) next.add(incident.id); else next.delete(incident.id);
      return next;
    });
  }), [filter, self]);

  useEffect(() => {
    if (fresh.size === 0) return undefined;
    const timer = setInterval(() => { if (known.current.size === 0 || calm()) refresh(); }, 400);
    return () => clearInterval(timer);
  }, [fresh, calm, refresh]);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useEffect(() => { if (sort && items.length < mostRows) more(); }, [sort, items.length, more]); // a sort needs all rows

  const signature = useMemo(() => items.map((item) => item.id).join(), [items]);
  const latest = useRef(items);
  useEffect(() => { latest.current = items; });
  const [order, setOrder] = useState<readonly string[] | undefined>(undefined);
  useEffect(() => { setOrder(sort ? [...latest.current].sort(comparer(sort)).map((item) => item.id) : undefined); }, [sort, signature]);
  const rows = useMemo(() => {
    if (!order) return items;
    const byID = new Map(items.map((item) => [item.id, item]));
    return order.flatMap((id) => byID.get(id) ?? []);
  }, [items, order]);

  return { rows, filter, fresh: fresh.size, refresh, more, query, complete: !hasNextPage };
}
