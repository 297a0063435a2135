export function App() {
  return <main>headroom</main>;
}
