/** The mark: a drop of water with its level. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="8" fill="var(--mantine-color-eau-8)" />
      <path d="M16 5c4.6 5.4 7.500 9 7.500 12.800a7.500 7.500 0 0 1-15 0C8.500 14 11.400 10.400 16 5z" fill="#fff" />
      <path d="M11.500 18.500c1.500-1.300 3-1.300 4.500 0s3 1.300 4.500 0" fill="none" stroke="var(--mantine-color-eau-8)" strokeWidth="1.800" strokeLinecap="round" />
    </svg>
  )
}
