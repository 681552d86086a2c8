// Signs in with a token, or says why nobody can.
import { useState } from "preact/hooks";
import { messageOf } from "../api/problem.ts";
import { type SessionState, signIn } from "../api/session.ts";
import { Field } from "../parts/field.tsx";

export function Login({ state }: { readonly state: SessionState & { readonly kind: "out" } }) {
  return (
    <main class="login">
      <div class="panel">
        <h1>
          <img src="./icon.svg" alt="" width="28" height="28" /> WrenMQ
        </h1>
        {state.access === "closed" ? <Closed /> : <Form reason={state.reason} />}
      </div>
    </main>
  );
}

function Form({ reason }: { readonly reason: string | undefined }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState(reason);
  const [running, setRunning] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setRunning(true);
    try {
      await signIn(token.trim());
    } catch (problem) {
      setError(messageOf(problem));
      setRunning(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      {error !== undefined && (
        <p class="note failed" role="alert">
          {error}
        </p>
      )}
      <Field label="Token" type="password" value={token} change={setToken} required />
      <button type="submit" class="primary" disabled={running}>
        Sign in
      </button>
      <p class="soft">
        Make one on the broker’s machine: <code>wrenmq token create FILE NAME --role operate</code>, where FILE is{" "}
        <code>admin.tokens_file</code>.
      </p>
    </form>
  );
}

function Closed() {
  return (
    <>
      <p class="note failed">No tokens are configured, so nobody can sign in.</p>
      <ol>
        <li>
          Make a token: <code>wrenmq token create admin-tokens NAME --role admin</code>
        </li>
        <li>
          Set <code>admin.tokens_file: ./admin-tokens</code> in the configuration.
        </li>
        <li>Start the broker again.</li>
      </ol>
    </>
  );
}
