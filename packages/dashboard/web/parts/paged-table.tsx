// A page of a long list: what a list command answers, as a table between a heading and the buttons to other pages.
import type { Paging } from "./paging.ts";
import { Empty, Section } from "./states.tsx";
import { Pager, Table, type TableProps } from "./table.tsx";

interface PagedTableProps<Row> extends Omit<TableProps<Row>, "rows"> {
  readonly title: string;
  /** Instead of a table without rows. */
  readonly empty: string;
  readonly answer: {
    readonly items: readonly Row[];
    readonly matched: number;
    readonly complete: boolean;
    readonly cursor?: string | undefined;
  };
  readonly paging: Paging;
  /** Rows of a page. */
  readonly size: number;
}

export function PagedTable<Row>({ title, empty, answer, paging, size, ...table }: PagedTableProps<Row>) {
  const { items, matched, complete, cursor } = answer;
  return (
    <Section title={title}>
      {items.length === 0 ? <Empty>{empty}</Empty> : <Table {...table} rows={items} />}
      <Pager
        shown={items.length}
        matched={matched}
        complete={complete}
        page={paging.page}
        size={size}
        next={cursor === undefined ? undefined : () => paging.next(cursor)}
        previous={paging.page === 0 ? undefined : paging.previous}
      />
    </Section>
  );
}
