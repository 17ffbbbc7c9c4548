import { useSignal } from '@preact/signals';
import { useApp } from './context.ts';
import { Icon } from './Pixels.tsx';

/** Asks for the server's token; the browser keeps a cookie in exchange. */
export function SignIn() {
  const app = useApp();
  const wrong = useSignal('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token');
    try {
      await app.signIn(typeof token === 'string' ? token.trim() : '');
      location.reload(); // Connects with the cookie.
    } catch (error) {
      wrong.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <form class="banner" data-level="warning" onSubmit={(event) => void submit(event)}>
      <Icon name="refused" />
      <div>
        <strong>This server asks for its token</strong>
        <p>It is in the address that the server printed when it started. What you do here is kept meanwhile.</p>
        {wrong.value && (
          <p class="field-error" role="alert">
            {wrong.value}
          </p>
        )}
      </div>
      <label class="hidden" for="token">
        Token
      </label>
      <input id="token" name="token" type="password" autoComplete="current-password" placeholder="Token" required />
      <button type="submit" class="second">
        Sign in
      </button>
    </form>
  );
}
