// The type of commands whose answer is a page of a long list. Each member looks through its own entries; the pages are
// merged by the sort key.
import type { z } from "zod";
import { type CommandContext, type CommandSpec, defineClusterCommand } from "../define-command.ts";
import { mergePages, type RankedPage } from "../pages.ts";
import { SCAN_PATIENCE } from "../scan.ts";
import { pageSchema, type paging } from "./fields.ts";

type PageSchema<Item extends z.ZodType> = ReturnType<typeof pageSchema<Item>>;

export function defineList<Fields extends z.core.$ZodLooseShape, Item extends z.ZodType>({
  item,
  descending: byDefault,
  page,
  ...spec
}: Omit<CommandSpec<z.ZodObject<Fields & typeof paging>, PageSchema<Item>>, "output" | "patience"> & {
  readonly item: Item;
  /** Are the largest first, unless the caller says so? */
  descending(input: z.output<z.ZodObject<Fields & typeof paging>>): boolean;
  page(
    context: CommandContext,
    input: z.output<z.ZodObject<Fields & typeof paging>>,
    order: { readonly descending: boolean; readonly limit: number; readonly cursor: string | undefined },
  ): Promise<RankedPage<z.input<Item>>>;
}) {
  type Input = z.output<z.ZodObject<Fields & typeof paging>>;
  const orderOf = (input: Input) => {
    const { descending, limit, cursor } = input as z.output<z.ZodObject<typeof paging>>;
    return { descending: descending ?? byDefault(input), limit, cursor };
  };
  return defineClusterCommand<z.ZodObject<Fields & typeof paging>, PageSchema<Item>, RankedPage<z.input<Item>>>({
    ...spec,
    output: pageSchema(item),
    patience: () => SCAN_PATIENCE,
    run: (context, input) => page(context, input, orderOf(input)),
    merge: (pages, input) => mergePages(pages, orderOf(input)) as z.input<PageSchema<Item>>,
  });
}
