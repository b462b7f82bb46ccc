// What Vite makes of imports that are not code.
declare module '*.css'
