// Loads the one WebAssembly bundle: as the page, and again as the dedicated Worker that holds the database.
import init from "./{{app.js}}";

if (typeof WorkerGlobalScope === "function" && self instanceof WorkerGlobalScope) {
  // The page sends its compiled module, so that the Worker neither downloads nor compiles it a second time. The
  // bundle then listens by itself and says that it is ready; the page sends nothing before that.
  const begin = ({ data: module }) => {
    // One tab at a time may hold the database's files, and two that try together can lock each other out for good.
    // So the Worker waits for its turn before it touches them: for the page before a reload, or for the other tab,
    // through which its own page works meanwhile.
    const patience = setTimeout(() => self.postMessage("waiting"), 3000);
    navigator.locks
      .request("device-store", async () => {
        clearTimeout(patience);
        self.postMessage("opening");
        await init({ module_or_path: module });
        // Held until this Worker ends.
        await new Promise(() => {});
      })
      // A rejected promise would stay inside the Worker; a reported error reaches the page's `onerror`.
      .catch(reportError);
  };
  self.addEventListener("message", begin, { once: true });
} else if (document.documentElement.dataset.cannotStart === undefined) {
  init({ module_or_path: new URL("./{{app_bg.wasm}}", import.meta.url) }).catch((cause) => {
    const sentence = "The clinic could not be loaded. Check the connection and reload the page.";
    dispatchEvent(new CustomEvent("cannot-start", { detail: { sentence, cause } }));
  });
}
