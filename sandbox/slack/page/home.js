/** The app's Home and About tabs. */

import { h, morph, replace } from "./dom.js";
import { brick } from "./icons.js";
import { renderBlocks } from "./render/blocks.js";
import { state } from "./state.js";

/** Draw the Home view that the app published for me. @param {HTMLElement} page */
export function drawHome(page) {
  const view = state.home;
  if (!view) return replace(page, empty());
  const surface = {
    kind: "home",
    place: "home",
    container: { type: "view", view_id: view.id },
    refresh: () => drawHome(page),
  };
  const wanted = h("div.home", null, renderBlocks(view.blocks, surface));
  const standing = page.querySelector(":scope > .home");
  if (standing && page.children.length === 1) morph(standing, wanted);
  else replace(page, wanted);
}

const empty = () =>
  h("div.home-empty", null, h("span.avatar.big.app", null, brick()), h("h2", null, `${state.bot.name} has not shown anything here yet`),
    h("p", null, "The app fills this page when it hears that you opened it."));

/** Draw what is known about the app. @param {HTMLElement} page */
export function drawAbout(page) {
  replace(page, h("div.home.about", null,
    h("div.about-head", null, h("span.avatar.big.app", null, brick()), h("div", null, h("h2", null, state.bot.real_name || state.bot.name, h("span.badge", null, "APP")), h("p.quiet", null, `@${state.bot.name}`))),
    h("h3", null, "Commands"),
    state.commands.length
      ? h("dl", null, state.commands.map((each) => [h("dt", null, h("code", null, [each.command, each.usage_hint].filter(Boolean).join(" "))), h("dd", null, each.description ?? "")]))
      : h("p.quiet", null, "The app has no slash commands."),
    h("h3", null, "Where this is"),
    h("p", null, "This page is the sandbox's stand-in for Slack. Messages live in the memory of one process and are gone when it ends.")));
}
