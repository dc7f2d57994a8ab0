// A page opened from disk may not read other pages: show search results without their summaries.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

addEventListener("DOMContentLoaded", () => {
  // Sphinx's Spanish lacks these sentences.
  if (document.documentElement.lang === "es")
    Object.assign(Documentation.TRANSLATIONS, {
      "Search finished, found one page matching the search query.": [
        "Una página tiene lo que buscas.",
        "${resultCount} páginas tienen lo que buscas.",
        "${resultCount} páginas tienen lo que buscas.",
      ],
      "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories.":
        "Ninguna página tiene lo que buscas. Revisa cómo está escrito.",
    });
  // In a table of results, a column of text is read in lines; figures stay on one.
  for (const table of document.querySelectorAll("table.dataframe")) {
    const long = [...table.querySelectorAll("td")].filter((cell) => cell.textContent.length > 24);
    const columns = new Set(long.map((cell) => cell.cellIndex));
    for (const cell of table.querySelectorAll("td, thead tr:first-child th"))
      cell.classList.toggle("text", columns.has(cell.cellIndex));
    for (const cell of table.querySelectorAll("th")) cell.classList.toggle("words", cell.textContent.includes(" "));
  }
  // The summary of a result begins with the text, not with the links above the title.
  if (typeof Search === "undefined") return;
  const text = Search.htmlToText;
  Search.htmlToText = (page, anchor) => text(page.replace(/<p class="lesson-bar">[^]*?<\/p>/, ""), anchor);
});

// A printed lesson holds its solutions.
addEventListener("beforeprint", () => document.querySelectorAll("details.hide").forEach((part) => (part.open = true)));
