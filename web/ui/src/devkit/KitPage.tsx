export function KitPage() { return <div />; }
