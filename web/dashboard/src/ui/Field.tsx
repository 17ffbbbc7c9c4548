import type { ComponentChildren } from 'preact';

interface Parts {
  id: string;
  label: string;
  hint?: string;
  error?: string | undefined;
  children: ComponentChildren;
}

/** A label, an input, and what is wrong with it. */
export function Field({ id, label, hint, error, children }: Parts) {
  return (
    <div class="field" data-wrong={error ? '' : undefined}>
      <label for={id}>
        {label}
        {hint && <span class="hint">{hint}</span>}
      </label>
      {children}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** The attributes that tie an input to its message. */
export function wrong(id: string, error: string | undefined) {
  return error ? { 'aria-invalid': true, 'aria-describedby': `${id}-error` } : {};
}
