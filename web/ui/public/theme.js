// Sets the colour scheme before the first paint. A file of its own, because the page allows no script inside HTML.
(function () {
  var wanted;
  try { wanted = localStorage.getItem("fairlead-scheme"); } catch { wanted = null; }
  if (wanted !== "light" && wanted !== "dark") {
    wanted = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", wanted);
})();
