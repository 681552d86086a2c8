import { render } from "preact";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/live.css";
import "./styles/steering.css";
import { findSession } from "./api/session.ts";
import { App } from "./app.tsx";
import { startTheme } from "./parts/theme.ts";

startTheme();
void findSession();
const place = document.getElementById("app");
if (place !== null) render(<App />, place);
