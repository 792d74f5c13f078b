import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { FilterBar } from "./FilterBar";
import { SeverityMark } from "./Marks";
import { Failure } from "./States";
import { Terms } from "./Terms";

const show = (node: React.ReactNode) => render(<MantineProvider>{node}</MantineProvider>);

it("says a severity in a word, also when only the icon is seen", () => {
  show(<><SeverityMark severity="critical" short /><SeverityMark severity="none" /></>);
  expect(screen.getByText("critical")).toBeDefined();
  expect(screen.getByText("unrated")).toBeDefined();
});

it("shows terms strongest first, with sign and sum", () => {
  show(<Terms terms={[{ name: "text", weight: -0.3, detail: "d" }, { name: "time", weight: 1.8, detail: "d" }]} />);
  expect(screen.getAllByRole("rowheader").map((cell) => cell.textContent)).toEqual(["time", "text", "sum"]);
  expect(screen.getByText("+1.5")).toBeDefined();
});

it("gives what failed, the remedy and the id for support", () => {
  show(<Failure error={new ApiError(400, { title: "No", detail: "Bad state", id: "req-1", errors: [{ field: "state", value: 1, remedy: "use open" }] })} />);
  const text = screen.getByRole("alert").textContent;
  for (const part of ["Bad state", "state: use open", "req-1"]) expect(text).toContain(part);
});

it("turns typed text into a chip and the last chip back into text", () => {
  const change = vi.fn();
  const bar = (value: string) => <MantineProvider><FilterBar value={value} onChange={change} choices={{ state: ["open"] }} placeholder="" label="Filter" /></MantineProvider>;
  const { rerender } = render(bar(""));
  const input = screen.getByRole("textbox");
  for (const value of ["state:", "state:o", "state:open"]) {
    fireEvent.change(input, { target: { value } });
    expect((input as HTMLInputElement).value).toBe(value);
  }
  expect(change).not.toHaveBeenCalled();
  fireEvent.keyDown(input, { key: "Enter" });
  expect(change).toHaveBeenLastCalledWith("state:open");
  rerender(bar("state:open"));
  fireEvent.keyDown(screen.getByRole("textbox"), { key: "Backspace" });
  expect(change).toHaveBeenLastCalledWith("");
  expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("state:open");
});
