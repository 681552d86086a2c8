// Signing in: roles, wrong tokens, too many of them, a token that is taken away, a broker without tokens; listeners and
// certificates, behind TLS and without it.
import { listTokens, revokeToken } from "@wrenmq/auth-token";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, overviewIn, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

describe.skipIf(!hasBrowser)("signing in", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("leads to the page of the address, also when a session has ended in between", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 401/, /ERR_INCOMPLETE_CHUNKED_ENCODING/);
    await signIn(one, live, "operate", "listeners");
    await page.getByRole("heading", { name: "Listeners", level: 1 }).waitFor();
    const own = (await listTokens(live.tokensFile)).find(({ role }) => role === "operate");
    await revokeToken(live.tokensFile, own?.id ?? "");
    await page.getByText("The session has ended. Sign in again.").waitFor();
    await page.getByLabel("Token").fill(live.tokens.read);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Listeners", level: 1 }).waitFor();
    await page.getByText("read-user · read").waitFor();
  });

  test("is seen by a page whose frames and timers come late, as on a busy machine", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    // Long after the broker has answered.
    await page.addInitScript(`
      const { setTimeout } = window;
      window.setTimeout = (callback, delay = 0, ...given) => setTimeout(callback, delay + 500, ...given);
      window.requestAnimationFrame = (callback) => setTimeout(() => callback(performance.now()), 500);
    `);
    await signIn(one, live, "read", "listeners");
    await page.reload();
    await page.getByRole("heading", { name: "Listeners", level: 1 }).waitFor();
    await page.evaluate('location.hash = "#/sessions"');
    await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
  });

  test("is refused after ten wrong tokens, and says so", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 4(01|29)/);
    await page.goto(live.address);
    for (let number = 0; number < 11; number++) {
      await page.getByLabel("Token").fill(`wrong-${number}`);
      const answered = page.waitForResponse(/session/);
      await page.getByRole("button", { name: "Sign in" }).click();
      await answered;
      await expect.poll(() => page.getByRole("button", { name: "Sign in" }).isEnabled()).toBe(true);
    }
    await page.getByRole("alert").getByText("too many").waitFor();
  });

  test("needs no token where everybody may do everything; cannot be done where there are no tokens", async () => {
    const open = await liveBroker({ http: { tokensFile: undefined, insecure: true } });
    const one = await visit(browser);
    await one.page.goto(open.address);
    await overviewIn(one.page);
    await one.page.getByText("anybody · admin").waitFor();
    expect(await one.page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
    const closed = await liveBroker({ http: { tokensFile: undefined } });
    const other = await visit(browser);
    await other.page.goto(closed.address);
    await other.page.getByText("No tokens are configured, so nobody can sign in.").waitFor();
    await other.screenshot("login-closed");
    await other.onPhone("login-closed");
  });
});
