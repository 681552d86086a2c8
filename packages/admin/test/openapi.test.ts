import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { openApi } from "../src/http/index.ts";
import { ALL_COMMANDS, fieldsOf } from "../src/index.ts";

test("the document is one of OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(openApi()));
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, "3.1"]);
});

test.each(ALL_COMMANDS.map((command) => [command.name, command] as const))(
  "%s is in it with all its fields, and says what it is",
  (name, command) => {
    const paths = openApi()["paths"] as Record<
      string,
      Record<string, { parameters?: { name: string }[]; requestBody?: object }>
    >;
    const method = command.kind === "read" ? "get" : "post";
    const operation = paths[`/api/v1/${name}`]?.[method];
    const fields = fieldsOf(command).map((field) => field.name);
    const documented =
      method === "get"
        ? operation?.parameters?.map((parameter) => parameter.name)
        : Object.keys(
            (
              (operation?.requestBody ?? { content: {} }) as {
                content: Record<string, { schema: { properties: object } }>;
              }
            ).content["application/json"]?.schema.properties ?? {},
          );
    expect(documented).toEqual(fields);
    expect(name).toMatch(/^[a-z]+(\.[a-z]+)?$/);
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.cli.words).not.toBe("");
  },
);
