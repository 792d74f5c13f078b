/** What a list that loads page by page gives. */
interface Paged<T> {
  data: { pages: readonly { items: readonly T[] }[] } | undefined;
  hasNextPage: boolean;
  fetchNextPage: () => Promise<Paged<T>>;
}

/** How many rows one file or one sorted list may have. */
export const mostRows = 10_000;

/** All rows of a list, also those that nobody has scrolled to; at most mostRows and what the last page has beyond. */
export async function allRows<T>(list: Paged<T>): Promise<T[]> {
  let now = list;
  const rows = (): T[] => now.data?.pages.flatMap((page) => page.items) ?? [];
  while (now.hasNextPage && rows().length < mostRows) now = await now.fetchNextPage();
  return rows();
}
