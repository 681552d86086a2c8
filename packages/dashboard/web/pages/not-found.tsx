import { Empty } from "../parts/states.tsx";

export function NotFound() {
  return (
    <Empty>
      There is no such page. <a href="#/overview">Go to the overview</a>
    </Empty>
  );
}
