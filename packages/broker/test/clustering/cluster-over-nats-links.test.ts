// The same behaviour over the links that members of a cluster have to each other.
import { useLinksOfNats } from "./cluster-fixture.ts";

useLinksOfNats();
await import("./cluster.test.ts");
