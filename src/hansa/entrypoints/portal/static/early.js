// Before anything of the page is shown. Parts of pages have addresses of their own, and htmx loads
// the page again when somebody goes back or on, but only once it has come: until then this does,
// or what was there would stay under the address of something else.
{
  const bare = () => location.href.split("#", 1)[0];
  const opened = bare();
  const again = () => {
    if (bare() !== opened) location.reload();
  };
  addEventListener("popstate", again);
  document.addEventListener("DOMContentLoaded", () => {
    setTimeout(() => removeEventListener("popstate", again)); // htmx begins in its own, set before
  });
}
