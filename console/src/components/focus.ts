// Where the focus goes when what has it is taken away.

let lastInput: 'keyboard' | 'pointer' = 'pointer'
addEventListener('keydown', () => (lastInput = 'keyboard'), { capture: true })
addEventListener('pointerdown', () => (lastInput = 'pointer'), { capture: true })

/** Whether a key, not a pointer, was what somebody used last. */
export function usesKeyboard(): boolean {
  return lastInput === 'keyboard'
}

/** Gives the focus to what had it before; to the content, where that is gone: a lost focus begins at the page's top. */
export function giveFocusBack(before: Element | null): void {
  if (before instanceof HTMLElement) before.focus()
  // What is drawn with this may take the element away, too.
  requestAnimationFrame(() => {
    if (document.activeElement === null || document.activeElement === document.body) focusContent()
  })
}

/** To the beginning of what the page shows. */
export function focusContent(): void {
  document.querySelector<HTMLElement>('#content')?.focus({ preventScroll: true })
}
