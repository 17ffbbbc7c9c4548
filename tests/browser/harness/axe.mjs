// Accessibility: axe-core, run inside the page.
//
// The page's content security policy forbids inline scripts. What a debugger evaluates is not
// bound by it, so axe is put in that way and the policy stays as users get it.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';

let source;

/**
 * Runs axe on the page as it is and returns what it finds, one line a violation.
 *
 * @param {import('playwright-core').Page} page
 * @param {{ rules?: Record<string, { enabled: boolean }> }} [options]
 * @returns {Promise<string[]>}
 */
export async function axe(page, { rules = {} } = {}) {
  source ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const session = await page.context().newCDPSession(page);
  try {
    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    await evaluate(`if (!globalThis.axe) { ${source}\n }; undefined`);
    const violations = await evaluate(
      `axe.run(document, { rules: ${JSON.stringify(rules)}, resultTypes: ['violations'] }).then((found) => found.violations)`,
    );
    return violations.map(
      ({ id, impact, help, nodes }) =>
        `${id} (${impact}): ${help}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`).join('; ')}`,
    );
  } finally {
    await session.detach();
  }
}
