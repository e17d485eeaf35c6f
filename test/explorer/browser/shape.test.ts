import { contract } from '../contract.ts'
import { shape } from '../pages/shape.ts'

contract(shape)
