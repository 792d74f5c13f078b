// The content of files of runs and models, for a look at it.
import { fileAddress, type Keeper, type RunFile } from "./query";

export type Content =
  | { kind: "text"; text: string; cut: boolean }
  | { kind: "image"; url: string }
  | { kind: "table"; columns: string[]; rows: string[][]; total: number | undefined }
  | { kind: "none"; why: string };

const textMost = 256 * 1024;
const parquetMost = 32 * 1024 * 1024;
const rowsMost = 200;
const imageMost = 16 * 1024 * 1024;
const images: Record<string, string> = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", svg: "image/svg+xml", bmp: "image/bmp", avif: "image/avif" };

/** The first bytes of a file; whether it is longer is told. */
async function begin(address: string, most: number, signal: AbortSignal): Promise<{ bytes: Uint8Array; cut: boolean }> {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const answer = await fetch(address, { signal: stop.signal });
  if (!answer.ok || !answer.body) throw new Error(`The file cannot be read: the server answered ${answer.status}.`);
  const reader = answer.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    if (size > most) break;
  }
  stop.abort();
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return { bytes: bytes.subarray(0, most), cut: size > most };
}

export async function readContent(of: Keeper, file: RunFile, signal: AbortSignal): Promise<Content> {
  const address = fileAddress(of, file.path);
  const image = images[file.path.slice(file.path.lastIndexOf(".") + 1).toLowerCase()];
  if (image) return readImage(address, image, file.size, signal);
  if (/\.parquet$/i.test(file.path)) return readParquet(address, file.size, signal);
  const { bytes, cut } = await begin(address, textMost, signal);
  if (bytes.subarray(0, 8192).includes(0)) return { kind: "none", why: "It is not text. Download it to open it elsewhere." };
  const text = new TextDecoder().decode(bytes);
  return /\.(csv|tsv)$/i.test(file.path) ? readCsv(text, cut) : { kind: "text", text, cut };
}

/** A picture as an address that holds it: the server sends files as downloads alone, so that none can act as a page of it. */
async function readImage(address: string, type: string, size: number, signal: AbortSignal): Promise<Content> {
  if (size > imageMost) return { kind: "none", why: "Pictures over 16 MB are not shown. Download it to open it elsewhere." };
  const bytes = await whole(address, signal);
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error("The picture cannot be read."));
    reader.readAsDataURL(new Blob([bytes], { type }));
  });
  return { kind: "image", url };
}

async function whole(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(`The file cannot be read: the server answered ${answer.status}.`);
  return answer.arrayBuffer();
}

async function readCsv(text: string, cut: boolean): Promise<Content> {
  const { default: papa } = await import("papaparse");
  const { data } = papa.parse<string[]>(text, { skipEmptyLines: true });
  const rows = cut ? data.slice(0, -1) : data; // the last may be half a row
  return { kind: "table", columns: rows[0] ?? [], rows: rows.slice(1, rowsMost + 1), total: cut ? undefined : Math.max(0, rows.length - 1) };
}

async function readParquet(address: string, size: number, signal: AbortSignal): Promise<Content> {
  if (size > parquetMost) return { kind: "none", why: "Parquet files over 32 MB are not shown. Download it to open it elsewhere." };
  const { parquetMetadata, parquetReadObjects } = await import("hyparquet");
  const file = await whole(address, signal);
  const total = Number(parquetMetadata(file).num_rows);
  const rows = await parquetReadObjects({ file, rowEnd: Math.min(rowsMost, total) });
  const columns = Object.keys(rows[0] ?? {});
  return { kind: "table", columns, total, rows: rows.map((row) => columns.map((c) => say(row[c]))) };
}

function say(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") return JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v));
  return typeof value === "string" ? value : `${value as number}`;
}

/** One column, tensor or param of a model's signature. */
export interface SignatureField { part: "inputs" | "outputs" | "params"; name: string; type: string; required: boolean }

/** The signature in the text of a file MLmodel; empty if it has none. */
export async function readSignature(text: string): Promise<SignatureField[]> {
  const { parse } = await import("yaml");
  const whole = parse(text) as { signature?: Partial<Record<SignatureField["part"], unknown>> } | null;
  return (["inputs", "outputs", "params"] as const).flatMap((part) => {
    const raw = whole?.signature?.[part];
    const list: unknown = typeof raw === "string" ? JSON.parse(raw) : raw;
    if (!Array.isArray(list)) return [];
    return (list as Record<string, unknown>[]).map((field, i) => {
      const tensor = field["tensor-spec"] as { dtype?: string; shape?: number[] } | undefined;
      return { part, name: typeof field.name === "string" ? field.name : `${i}`, type: tensor ? `${tensor.dtype ?? "tensor"} [${(tensor.shape ?? []).join(", ")}]` : say(field.type ?? field.dtype), required: field.required !== false && field.optional !== true };
    });
  });
}
