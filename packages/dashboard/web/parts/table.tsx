// A table of rows: columns with an alignment, headings that sort, and pages by cursor.
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly label: string;
  readonly render: (row: Row) => ComponentChildren;
  /** Numbers are on the right. */
  readonly number?: boolean;
  /** The name to sort by. */
  readonly sort?: string;
  /** Left out where there is little room. */
  readonly wide?: boolean;
}

export interface Sorting {
  readonly by: string;
  readonly descending: boolean;
  change(by: string): void;
}

export interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly sorting?: Sorting;
  /** Where there is little room each row is a list of its cells. Default false. */
  readonly stacks?: boolean;
}

export function Table<Row>({ caption, columns, rows, rowKey, sorting, stacks = false }: TableProps<Row>) {
  return (
    <div class="scroll">
      <table class={stacks ? "stacks" : ""}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.label} column={column} sorting={sorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.label} class={classOf(column)} data-label={column.label}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classOf<Row>({ number = false, wide = false }: Column<Row>): string {
  return `${number ? "number" : ""} ${wide ? "wide" : ""}`.trim();
}

function Heading<Row>({ column, sorting }: { column: Column<Row>; sorting: Sorting | undefined }) {
  const { label, sort } = column;
  if (sort === undefined || sorting === undefined) {
    return (
      <th scope="col" class={classOf(column)}>
        {label}
      </th>
    );
  }
  const isSorted = sorting.by === sort;
  return (
    <th
      scope="col"
      class={classOf(column)}
      aria-sort={isSorted ? (sorting.descending ? "descending" : "ascending") : "none"}
    >
      <button type="button" class="sort" onClick={() => sorting.change(sort)}>
        {label}
        <span aria-hidden="true">{isSorted ? (sorting.descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

interface PagerProps {
  readonly shown: number;
  readonly matched: number;
  readonly complete: boolean;
  readonly page: number;
  readonly next: (() => void) | undefined;
  readonly previous: (() => void) | undefined;
  readonly size: number;
}

export function Pager({ shown, matched, complete, page, next, previous, size }: PagerProps) {
  const from = page * size;
  return (
    <nav class="pager" aria-label="Pages">
      <span class="soft">
        {shown === 0 ? "none" : `${from + 1}–${from + shown}`} of {matched.toLocaleString("en-US")}
        {complete ? "" : " or more: there is too much to look at"}
      </span>
      <button type="button" disabled={previous === undefined} onClick={previous}>
        Previous
      </button>
      <button type="button" disabled={next === undefined} onClick={next}>
        Next
      </button>
    </nav>
  );
}
