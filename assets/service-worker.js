// Keeps one whole build on the device, so that a reload or a deep link works with the server dead.
//
// One cache per build: a build is either there completely or not at all. The running build's cache stays until the
// person lets the next build take over.
"use strict";

const BUILD = "{{build}}";
/** [address, whether its name contains its content's hash] */
const FILES = {{files}};
const CACHE = `build-${BUILD}`;
const ADDRESSES = new Set(FILES.map(([address]) => address));
// What the server answers itself is never answered, and never kept, by this worker: it is personal data, or live.
const SERVERS_OWN = /^\/(api|sync|auth|jobs|webhooks|health|ready|metrics)(\/|$)/;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    FILES.map(async ([address, hashed]) => {
      // A hashed name never changes its content: take it from an older build, and download only what is new.
      const known = hashed && (await caches.match(address));
      if (known) return cache.put(address, known);
      const response = await fetch(address, { cache: hashed ? "default" : "reload" });
      if (!response.ok || response.redirected) throw new Error(`${address}: ${response.status}`);
      return cache.put(address, response);
    }),
  );
  if (self.registration.active) await tellPages({ type: "new-build", build: BUILD });
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("build-") && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function tellPages(message) {
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) page.postMessage(message);
}

/** What the page that is just loaded anew had its records open with: in memory alone, and no longer than a load takes. */
let kept = null;
let forgets;
const KEEPS = 15_000;

self.addEventListener("message", ({ data, source }) => {
  if (!data) return;
  if (data.type === "activate") self.skipWaiting();
  if (data.type === "keep") {
    kept = data.what;
    clearTimeout(forgets);
    forgets = setTimeout(() => (kept = null), KEEPS);
  }
  if (data.type === "what-is-kept") source.postMessage({ type: "kept", what: kept });
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || SERVERS_OWN.test(url.pathname)) return;
  if (ADDRESSES.has(url.pathname)) event.respondWith(fromBuild(url.pathname, request));
  // Every other address that a person opens is a screen of the app.
  else if (request.mode === "navigate") event.respondWith(fromBuild("/", request));
});

async function fromBuild(address, request) {
  const cache = await caches.open(CACHE);
  // The browser may throw caches away when the disk is full; the server is the second choice, not an error page.
  return (await cache.match(address)) || fetch(request);
}
