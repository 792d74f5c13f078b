import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "node_modules", "src/api/schema.ts"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [...ts.configs.strictTypeChecked, ...ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }, globals: globals.browser },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["src/**/*.tsx"],
    extends: [hooks.configs.flat["recommended-latest"], a11y.flatConfigs.strict],
    rules: {
      // The page is not built with the React compiler, which alone minds these libraries.
      "react-hooks/incompatible-library": "off",
      "max-lines": ["error", { max: 150, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["dev/**/*.mjs", "*.config.js", "*.config.cjs", "public/*.js"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
