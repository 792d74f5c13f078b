import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

// The one accent: links, focus, selection, the main button. Severity and state have their own colours in tokens.css.
const accent: MantineColorsTuple = ["#eef0ff", "#dcdffb", "#b6bbf3", "#9198ee", "#7279e6", "#5b61d9", "#4b4fc4", "#3f43aa", "#353890", "#2b2e77"];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 5 },
  colors: { accent, dark: ["#d5d5de", "#b4b4c0", "#8f8f9c", "#6c6c78", "#484853", "#3a3a44", "#2a2a32", "#1d1d23", "#16161b", "#101014"] },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  defaultRadius: 6,
  respectReducedMotion: true,
  cursorType: "pointer",
  headings: { fontWeight: "600" },
  components: {
    Button: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4 } } },
  },
});

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#18181c",
    "--mantine-color-dimmed": "#5d5d68",
    "--mantine-color-default-border": "#dcdce2",
    "--mantine-color-placeholder": "#6d6d78",
    "--mantine-color-anchor": "#4146b8",
    "--mantine-color-error": "#b3123f",
  },
  dark: {
    "--mantine-color-body": "#131317",
    "--mantine-color-text": "#e9e9ee",
    "--mantine-color-dimmed": "#a0a0ac",
    "--mantine-color-default": "#1d1d23",
    "--mantine-color-default-hover": "#26262e",
    "--mantine-color-default-border": "#34343d",
    "--mantine-color-placeholder": "#8b8b97",
    "--mantine-color-anchor": "#a9aef7",
    "--mantine-color-error": "#ff8099",
  },
});
