"use strict";

// Shows the document that the address names, or the first one.
const links = [...document.querySelectorAll("nav a")];
const wanted = new URLSearchParams(location.search).get("document");
const chosen = links.find((link) => link.dataset.document === `/openapi/${wanted}.json`) ?? links[0];
chosen.setAttribute("aria-current", "page");
SwaggerUIBundle({ url: chosen.dataset.document, dom_id: "#api", deepLinking: true });
