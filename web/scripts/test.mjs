// Runs the unit tests: src/**/*.test.ts.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const tests = readdirSync(`${cwd}/src`, { recursive: true })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => `src/${path}`);
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", "--test", "--test-reporter=dot", ...tests],
  {
    cwd,
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
