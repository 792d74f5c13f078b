// The pages of integrations, loaded together when the first of them is opened.
export { IntegrationListPage } from "./IntegrationListPage";
export { IntegrationPage } from "./IntegrationPage";
export { NewIntegrationPage } from "./NewIntegrationPage";
