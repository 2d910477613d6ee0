// Light or dark, before anything is painted: which is why this is no module. Without a choice the system's is taken.
{
  const kinds = ['auto', 'light', 'dark'];
  const stored = () => {
    try {
      return localStorage.getItem('theme') || 'auto';
    } catch {
      return 'auto'; // storage may be forbidden
    }
  };
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    const label = document.getElementById('theme-text');
    if (label) label.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[theme];
    document.getElementById('theme')?.setAttribute('aria-label', `Theme: ${theme}. Change it`);
  };
  apply(stored());
  document.addEventListener('DOMContentLoaded', () => {
    let theme = stored();
    apply(theme);
    document.getElementById('theme').addEventListener('click', () => {
      theme = kinds[(kinds.indexOf(theme) + 1) % kinds.length];
      try {
        localStorage.setItem('theme', theme);
      } catch {
        // then it lasts as long as the page
      }
      apply(theme);
    });
  });
}
