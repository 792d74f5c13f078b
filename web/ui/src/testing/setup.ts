// What jsdom lacks and the component library asks for.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

Object.defineProperty(window, "matchMedia", {
  value: (query: string) => ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined, removeListener: () => undefined, dispatchEvent: () => false, onchange: null }),
});

window.ResizeObserver = class {
  observe(): void { /* sizes never change here */ }
  unobserve(): void { /* see observe */ }
  disconnect(): void { /* see observe */ }
};
