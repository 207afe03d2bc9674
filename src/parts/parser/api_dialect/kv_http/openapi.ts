/** The routes as OpenAPI 3.1 and as Markdown. */
import type { Route, RouteAnswer } from "./route.ts";
import { commonAnswers, routes } from "./routes.ts";

export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

export function openApiOf(about: ApiDescription): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    route.methods.forEach((method, at) => {
      // Operation ids are unique: further methods of a route carry their own name.
      const operationId = at === 0 ? route.operation : `${route.operation}_${method.toLowerCase()}`;
      path[method.toLowerCase()] = operationOf(route, operationId);
    });
  }
  return {
    openapi: "3.1.0",
    info: { title: about.title, version: about.version, description: about.description },
    paths,
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  };
}

function operationOf(route: Route, operationId: string): Record<string, unknown> {
  const parameters = (route.parameters ?? []).map(({ name, place, text, schema, required }) => ({
    name, in: place, description: text, required: required ?? false, schema,
  }));
  const answers: Record<string, RouteAnswer> = { ...commonAnswers, ...route.answers };
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, { text, content }]) => [
      status,
      { description: text, ...(content === undefined ? {} : { content: mediaTypes(content) }) },
    ]),
  );
  return {
    operationId,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, description: route.body.text, content: mediaTypes(route.body.content) } }),
    responses,
    ...(route.scope === "none" ? {} : { security: [{ token: [route.scope] }] }),
  };
}

function mediaTypes(content: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

export function docsOf(about: ApiDescription): string {
  const rows = routes.map((route) =>
    `| ${route.methods.join(", ")} | \`${route.path}\` | ${route.scope} | ${route.summary} |`);
  const sections = routes.flatMap((route) => [
    "", `## ${route.methods[0]} ${route.path}`, "", route.summary,
    ...(route.parameters ?? []).map(({ name, place, text }) => `- \`${name}\` (${place}): ${text}`),
    ...(route.body === undefined ? [] : [`- body (${Object.keys(route.body.content).join(", ")}): ${route.body.text}`]),
    ...Object.entries(route.answers).map(([status, { text }]) => `- ${status}: ${text}`),
  ]);
  const common = Object.entries(commonAnswers).map(([status, { text }]) => `- ${status}: ${text}`);
  return [
    `# ${about.title}`, "", about.description, "", "| method | path | scope | what it does |", "|---|---|---|---|",
    ...rows, ...sections, "", "## Any route", "", ...common, "",
  ].join("\n");
}
