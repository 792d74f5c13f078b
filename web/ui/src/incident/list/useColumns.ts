import { useMediaQuery } from "@mantine/hooks";
import { middleColumns, narrowColumns, wideColumns, widestColumns } from "./columns";

/** The columns that the window has room for. */
export function useColumns() {
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1340px)");
  const wide = useMediaQuery("(max-width: 1600px)");
  return narrow ? narrowColumns : middle ? middleColumns : wide ? wideColumns : widestColumns;
}
