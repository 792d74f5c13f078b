import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "@fontsource-variable/inter/wght.css";
import "./app/tokens.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { live } from "./api/live";
import { syncLive } from "./api/sync";
import { meQuery } from "./api/session";
import { makeRouter } from "./app/router";
import { Gate } from "./login/Gate";
import { resolver, theme } from "./app/theme";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      // What the server refuses it refuses again; only silence and "unavailable" are worth another try.
      retry: (count, error) => count < 2 && error instanceof ApiError && error.status === 0,
      retryDelay: 500,
    },
  },
});
const router = makeRouter(queries);
const scheme = localStorageColorSchemeManager({ key: "fairlead-scheme" });

syncLive(live, queries);
// Both take a moment; the first render need not have happened for that.
if (window.location.pathname !== "/welcome") queries.query(meQuery).catch(() => undefined); // the gate says it
void router.load();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={resolver} colorSchemeManager={scheme} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <Notifications position="bottom-right" limit={4} />
          <Gate><RouterProvider router={router} /></Gate>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
