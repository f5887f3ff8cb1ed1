// Generates the client of the API from docs/openapi.json: its types, its operations and the fields of requests.
// With --check, it only fails when the generated files are stale.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../docs/openapi.json", import.meta.url);
const NOTICE = "// Generated from docs/openapi.json by `npm run generate`.\n";

/** The parts of a JSON schema that a form needs, with references and `null` alternatives resolved. */
function describe(schema, schemas) {
  const { anyOf, $ref, ...own } = schema;
  const base = $ref === undefined ? {} : schemas[$ref.split("/").at(-1)];
  const value = anyOf?.find((each) => each.type !== "null") ?? {};
  const inner = value.$ref === undefined ? value : { ...schemas[value.$ref.split("/").at(-1)], ...value };
  const merged = { ...base, ...inner, ...own };
  const described = {};
  for (const name of [
    "type",
    "description",
    "default",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
  ]) {
    if (merged[name] !== undefined) described[name] = merged[name];
  }
  if (merged.items !== undefined) described.items = describe(merged.items, schemas);
  if (merged.properties !== undefined) {
    described.properties = Object.fromEntries(
      Object.entries(merged.properties).map(([name, each]) => [name, describe(each, schemas)]),
    );
    described.required = merged.required ?? [];
  }
  return described;
}

/** The names of the schemas that a part of the document refers to, directly or through others. */
function referred(part, schemas, found = new Set()) {
  for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    referred(schemas[name], schemas, found);
  }
  return found;
}

/** The document with the operations of one tag: the page calls none of other systems' shapes. */
function withTag(whole, tag) {
  const paths = Object.entries(whole.paths).flatMap(([path, methods]) => {
    const kept = Object.entries(methods).filter(([, { tags }]) => tags.includes(tag));
    return kept.length > 0 ? [[path, Object.fromEntries(kept)]] : [];
  });
  const all = whole.components.schemas;
  const names = referred(paths, all);
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
  return { ...whole, paths: Object.fromEntries(paths), components: { ...whole.components, schemas } };
}

const document = withTag(JSON.parse(readFileSync(DOCUMENT, "utf8")), "Jobs");
const { schemas } = document.components;
const types = astToString(await openapiTS(document, { immutable: true, defaultNonNullable: false }));
const fields = describe(schemas.JobSubmission, schemas).properties;
const upload = describe(schemas.UploadRequest, schemas).properties;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => [
    operationId,
    { method: method.toUpperCase(), path },
  ]),
);
const constant = (name, value) =>
  `${NOTICE}export const ${name} = ${JSON.stringify(value, null, 2)} as const;\n`;
const files = {
  "schema.ts": `${NOTICE}${types}`,
  "operations.ts": constant("OPERATIONS", Object.fromEntries(operations)),
  "fields.ts": constant("FIELDS", fields),
  "upload.ts": constant("UPLOAD", upload),
};

let stale = false;
for (const [name, text] of Object.entries(files)) {
  const path = new URL(`../src/api/${name}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`web/src/api/${name} is stale: run npm run generate --prefix web`);
    stale = true;
  }
}
process.exitCode = stale ? 1 : 0;
