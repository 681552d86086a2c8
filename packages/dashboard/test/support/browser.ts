// Debian's Chromium, and pages of it. What the browser complains about fails the test: errors of scripts, lines of the
// console, violations of the policy.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { LiveBroker } from "./live-broker.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (executablePath === undefined) console.warn("skipped: no Chromium is installed, so the dashboard is not tried");

export const hasBrowser: boolean = executablePath !== undefined;

const SCREENSHOTS = fileURLToPath(new URL("../screenshots/", import.meta.url));
/** Where pictures of the documentation go, if they are asked for. */
const PICTURES = fileURLToPath(new URL("../../../../docs/images/", import.meta.url));
export const makesPictures: boolean = process.env["PICTURES"] === "1";

/** A test waits for what it expects at most so long. */
export const PATIENCE = 15_000;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? "",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}

export interface Visit {
  readonly page: Page;
  /** Lines of the console that are expected. */
  readonly allowed: RegExp[];
  screenshot(name: string): Promise<void>;
  /** A screenshot that docs/dashboard.md shows. */
  picture(name: string): Promise<void>;
  /** The page on a phone, dark: nothing is cut off at its side. Then as before. */
  onPhone(name: string): Promise<void>;
}

const NARROW = { width: 390, height: 844 } as const;
export const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  const allowed: RegExp[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^https?:\/\/127\.0\.0\.1:|^data:/.test(request.url())) complaints.push(`a request to ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints.filter((text) => !allowed.some((one) => one.test(text)))).toEqual([]);
  });
  mkdirSync(SCREENSHOTS, { recursive: true });
  const screenshot = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  };
  return {
    page,
    allowed,
    screenshot,
    picture: async (name) => {
      await screenshot(`picture-${name}`);
      if (!makesPictures) return;
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `dashboard-${name}.png`) });
    },
    onPhone: async (name) => {
      const before = page.viewportSize();
      await page.setViewportSize(NARROW);
      await page.emulateMedia({ colorScheme: "dark" });
      await screenshot(`${name}-phone`);
      expect(await page.evaluate("document.documentElement.scrollWidth"), name).toBeLessThanOrEqual(NARROW.width);
      await page.emulateMedia({ colorScheme: "light" });
      if (before !== null) await page.setViewportSize(before);
    },
  };
}

/** The overview is there. It may be that a busy machine is not well. */
export async function overviewIn(page: Page): Promise<void> {
  await page.getByRole("region", { name: "Health" }).waitFor();
}

/** Signs in and goes to a page. */
export async function signIn(
  { page }: Visit,
  live: LiveBroker,
  role: keyof LiveBroker["tokens"],
  path = "overview",
): Promise<void> {
  await page.goto(`${live.address}/#/${path}`);
  await page.getByLabel("Token").fill(live.tokens[role]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("live", { exact: true }).first().waitFor();
}
