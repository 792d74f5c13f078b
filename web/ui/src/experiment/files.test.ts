import { expect, test, vi } from "vitest";
import { readContent, readSignature } from "./files";

const of = { kind: "run", id: "1", location: "mlflow-artifacts:/0/1/artifacts", live: false } as const;
import type { RunFile } from "./query";

const file = (path: string): RunFile => ({ path, folder: false, size: 1, digest: "" });
const serve = (body: string | Uint8Array<ArrayBuffer>): void => { vi.stubGlobal("fetch", () => Promise.resolve(new Response(body))); };

test("text, tables, pictures and other files are told apart", async () => {
  const signal = new AbortController().signal;
  serve("a\nb");
  expect(await readContent(of, file("a.txt"), signal)).toEqual({ kind: "text", text: "a\nb", cut: false });
  serve('name,note\nx,"1,2"\n');
  expect(await readContent(of, file("a.csv"), signal)).toEqual({ kind: "table", columns: ["name", "note"], rows: [["x", "1,2"]], total: 1 });
  serve(new Uint8Array([80, 0, 1]));
  expect((await readContent(of, file("model.pkl"), signal)).kind).toBe("none");
  expect(await readContent(of, file("a.PNG"), signal)).toEqual({ kind: "image", url: "data:image/png;base64,UAAB" });
});

test("a long text is cut, and a long table ends with a whole row", async () => {
  const signal = new AbortController().signal;
  serve("x".repeat(300_000));
  expect(await readContent(of, file("a.log"), signal)).toMatchObject({ kind: "text", cut: true });
  serve(`a,b\n${"1,2\n".repeat(100_000)}`);
  expect(await readContent(of, file("a.csv"), signal)).toMatchObject({ kind: "table", total: undefined });
});

test("a signature has columns, tensors and params", async () => {
  expect(await readSignature("flavors: {}\n")).toEqual([]);
  const text = `signature:\n  inputs: '[{"type": "double", "name": "age", "required": true}]'\n  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'\n  params: null\n`;
  expect(await readSignature(text)).toEqual([{ part: "inputs", name: "age", type: "double", required: true }, { part: "outputs", name: "0", type: "int64 [-1]", required: true }]);
});
